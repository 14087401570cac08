# A head refuses a backbone with another space of the same width: exit 1, both spaces named, nothing written.
model=$MODNET_SHARED/parity/models/st_mean_norm-s0/model
[ -d "$model" ] || { echo "skipped: no reference cases"; exit 77; }
. "$SOURCE/tests/support/make_texts.sh"
make_texts 60 >train.tsv
modnet import "$model" -o mean/ --name mean -q >/dev/null
modnet import "$model" -o cls/ --name cls --pooling cls -q >/dev/null
modnet embed mean/backbone.mnet --encoder mean/encoder.mnet train.tsv --text text --label class -o train.arrow
modnet train-head --features train.arrow --name class -o class.mnet -q >/dev/null
modnet attach-head cls/backbone.mnet class.mnet -o wrong.mnet 2>err
echo "exit $?"
grep -o -e 'mean/[a-z0-9-]*@1' -e 'cls/[a-z0-9-]*@1' err | sort -u
ls wrong.mnet 2>&1
modnet embed cls/backbone.mnet --encoder cls/encoder.mnet train.tsv --text text -o cls.arrow
modnet predict class.mnet cls.arrow >/dev/null 2>err
echo "exit $?"
modnet attach-head mean/backbone.mnet class.mnet -o right.mnet >/dev/null
echo "exit $?"
