# A command that is told to end says so by its exit code and leaves no file behind, not even a temporary one.
modnet compose "$SOURCE/examples/fashion/pixels.toml" -o pixels.mnet >/dev/null
mkfifo slow
for signal in INT TERM; do
  # A job of a script ignores SIGINT unless it says otherwise: env sets it back.
  env --default-signal=INT modnet encode pixels.mnet slow --format npy -o out.arrow &
  job=$!
  exec 3>slow
  sleep 0.5
  kill -$signal $job
  wait $job
  echo "$signal: exit $?"
  exec 3>&-
done
ls -A
