# make_texts ROWS: a table of made-up texts in three classes that differ in their words; the same on every machine.
make_texts() {
  awk -v rows="$1" 'BEGIN {
    split("red green blue yellow white black", colour); split("one two three four five six", number)
    split("run jump walk swim ride fly", verb)
    print "id\tclass\ttext"
    for (i = 0; i < rows; i++) {
      text = ""
      for (j = 0; j <= i % 5; j++) {
        at = (i * 7 + j * 3) % 6 + 1
        text = text (j ? " " : "") (i % 3 == 0 ? colour[at] : i % 3 == 1 ? number[at] : verb[at])
      }
      print "t" i "\t" (i % 3 == 0 ? "colour" : i % 3 == 1 ? "number" : "verb") "\t" text
    }
  }'
}
