# 0 and 10,000 threads are refused, 1 and 1,024 are not.
for n in 0 10000 -1 1.5 99999999999999999999; do
  modnet capabilities --threads $n
  echo "exit $?" >&2
done
modnet capabilities --threads 1 >/dev/null && modnet capabilities --threads 1024 >/dev/null
