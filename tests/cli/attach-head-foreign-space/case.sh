# A head goes onto the space it was trained on and onto no other, also when the widths agree: another pooling, another layer,
# other weights. Exit 1, both spaces named, nothing written.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
tiny_model cls --pooling cls
tiny_model tap --tap hidden.1
TINY_SEED=5 tiny_model other --name tiny
for model in cls tap other; do
  says modnet attach-head $model/backbone.mnet class.mnet --encoder tiny/encoder.mnet -o wrong.mnet
  modnet embed $model/backbone.mnet --encoder $model/encoder.mnet test.tsv --label class -o $model.arrow -q
  says modnet predict class.mnet $model.arrow
  says modnet eval class.mnet $model.arrow
done
says modnet attach-head class.mnet class.mnet -o wrong.mnet
says modnet attach-head tiny/encoder.mnet class.mnet -o wrong.mnet
says modnet attach-head tiny/backbone.mnet tiny/backbone.mnet -o wrong.mnet
says modnet attach-head tiny/backbone.mnet class.mnet --encoder tiny/backbone.mnet -o wrong.mnet
says modnet attach-head tiny/backbone.mnet class.mnet class.mnet -o wrong.mnet
says modnet attach-head model.mnet class.mnet -o wrong.mnet
says modnet embed class.mnet train.arrow -o wrong.mnet
says modnet encode tiny/backbone.mnet train.tsv -o wrong.mnet
says modnet predict tiny/backbone.mnet train.arrow
ls wrong.mnet 2>/dev/null || echo "nothing left behind"
