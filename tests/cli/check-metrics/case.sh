# A new version whose card says that it is worse on the same data is told apart from one that was measured on other data, and
# from one that is worse within the old one's interval; less is better for losses.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
card() { modnet card class.mnet --edit "$1" -f -o "$2" -q >/dev/null; }
metrics() { # NAME VALUE LOW HIGH DIGIT
  printf '[[metrics]]\nanswer = "class"\nname = "%s"\nvalue = %s\nlow = %s\nhigh = %s\n[[metrics.data]]\nname = "test.tsv"\ndigest = "sha256:%064d"\n' "$@"
}
metrics accuracy 0.9 0.85 0.95 1 >old.toml
metrics log_loss 0.4 0.35 0.45 1 >>old.toml
card old.toml old.mnet
judge() {
  card new.toml new.mnet
  modnet check new.mnet --against old.mnet >said
  echo "exit $?"
  grep -A2 PROBE_METRIC said
}
echo "-- worse"
metrics accuracy 0.8 0.75 0.84 1 >new.toml
judge
echo "-- within the interval"
metrics accuracy 0.86 0.8 0.9 1 >new.toml
judge
echo "-- on other data"
metrics accuracy 0.1 0.05 0.2 2 >new.toml
judge
echo "-- a loss that is less"
metrics log_loss 0.2 0.15 0.25 1 >new.toml
judge
echo "-- a loss that is more"
metrics log_loss 0.6 0.55 0.65 1 >new.toml
judge
echo "-- a card without metrics claims nothing"
modnet check class.mnet --against old.mnet >/dev/null && echo compatible
