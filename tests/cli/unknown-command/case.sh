# A misspelt command gets a suggestion, a foreign word does not.
modnet inspct
echo "exit $?"
modnet frobnicate
echo "exit $?"
modnet help verfy
echo "exit $?"
modnet
echo "exit $?"
modnet --frob
