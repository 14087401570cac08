# --tensors and --layout list what is there, with the slots that lead to it; --card prints the card.
cd "$SOURCE/tests/golden/files" || exit 1
modnet inspect head.mnet --tensors
modnet inspect composite.mnet --tensors | awk '{ print $1 }' | grep -c '^backbone/'
modnet inspect backbone.mnet --layout | awk 'NR == 1 || $3 != "tensor"'
modnet inspect composite.mnet --card
modnet inspect tiny.mnet --card
