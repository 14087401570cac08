# An input that is not there: exit 3, one line that names it.
modnet inspect nosuch.mnet
echo "exit $?"
modnet verify nosuch.mnet
echo "exit $?"
modnet inspect .
echo "exit $?"
