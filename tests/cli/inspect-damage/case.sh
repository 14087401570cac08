# What is cut off, foreign or damaged in its frame: a documented exit and one line that names file and place.
head -c 100 "$SOURCE/tests/golden/files/backbone.mnet" >short.mnet
modnet inspect short.mnet
echo "exit $?"
head -c 5000 "$SOURCE/tests/golden/files/backbone.mnet" >cut.mnet
modnet inspect cut.mnet
echo "exit $?"
echo "text, not a module, but long enough to hold a preamble of one hundred and twenty-eight bytes, so that the magic is what tells" >text.mnet
modnet inspect text.mnet
echo "exit $?"
: >empty.mnet
modnet inspect empty.mnet
echo "exit $?"
