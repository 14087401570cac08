# A misspelt option gets a suggestion; a wrong value says what was expected.
for words in "--jsn" "--zzzzzz" "-z" "--threads" "--threads=x" "--max-memory 3x" "--json=yes" "--threads 2 --threads 3" "extra"; do
  modnet capabilities $words
  echo "exit $?" >&2
done
