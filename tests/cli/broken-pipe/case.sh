# A reader that leaves early: exit 141 and no message.
set -o pipefail
modnet capabilities --json 2>err | head -c 1 >/dev/null
code=$?
# The document may be written whole before head leaves: so a pipe that nobody reads at all, too.
exec 3> >(exec true)
sleep 0.2
modnet capabilities >&3 2>>err
echo "exit $? bytes on stderr $(wc -c <err)"
case $code in 0|141) echo "pipe ended well" ;; *) echo "pipe exit $code" ;; esac
