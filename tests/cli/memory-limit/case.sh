# --max-memory is held by the system as well: what does not fit ends with exit 5, not with a killed process.
modnet compose "$SOURCE/examples/fashion/features.toml" -o features.mnet --max-memory 1M >out 2>err
code=$?
case $code in 0|5) echo "exit 0 or 5" ;; *) echo "exit $code"; cat err ;; esac
modnet capabilities --max-memory 1M >/dev/null && echo "small things fit"
modnet capabilities --max-memory 1k
