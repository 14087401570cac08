# Two modules compared: the same file, the same content in another encoding, a real change, a composite and its component, and
# what is refused. Texts from files cannot drive the terminal.
cd "$SOURCE/tests/golden/files" || exit 1
says() {
  "$@" 2>&1
  echo "exit $?"
}
says modnet inspect --diff head.mnet head.mnet
says modnet inspect --diff backbone.mnet backbone-zstd.mnet
says modnet inspect --diff backbone.mnet converted.mnet
says modnet inspect --diff composite.mnet backbone.mnet | head -n 2
says modnet inspect --diff -q backbone.mnet converted.mnet
says modnet inspect --diff backbone.mnet nosuch.mnet
says modnet inspect --diff backbone.mnet
says modnet inspect backbone.mnet head.mnet
says modnet inspect --stats backbone.mnet
says modnet inspect --diff --layout backbone.mnet head.mnet
modnet inspect --diff --json backbone.mnet backbone-zstd.mnet |
  python3 -c 'import json, sys; d = json.load(sys.stdin)["diff"]; print(d["same_content"], d["same_file"], d["layout"]["recodings"])'
