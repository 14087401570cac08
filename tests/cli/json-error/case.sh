# With --json a failure is a document on stdout as well, with the same exit code.
modnet inspect nosuch.mnet --json
echo "exit $?"
modnet capabilities --json --threads 0
echo "exit $?"
modnet frob --json
