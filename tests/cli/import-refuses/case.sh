# What import does not understand stops it with the key's name; damaged weights are told apart; nothing is left behind.
. "$SOURCE/tests/support/tiny_line.sh"
python3 -B "$SOURCE/tests/support/make_tiny_model.py" good
# bad1, bad2, …: copies of the model in each of which `d`, the JSON of one file, was changed by one statement.
python3 - <<'END'
import json, shutil
changes = [
    ("config.json", 'd["rope_theta"] = 10000'),
    ("config.json", 'd["hidden_act"] = "swishy"'),
    ("config.json", 'd["model_type"] = "berk"'),
    ("config.json", 'd["position_embedding_type"] = "relative_key"'),
    ("config.json", 'd["num_attention_heads"] = 5'),
    ("config.json", 'd["hidden_size"] = 24'),
    ("config.json", 'd["num_hidden_layers"] = 3'),
    ("config.json", 'd["hidden_size"] = -12'),
    ("config.json", 'd["hidden_size"] = "12"'),
    ("config.json", 'd["num_hidden_layers"] = 10 ** 12'),
    ("modules.json", 'd.append({"idx": 3, "name": "3", "path": "3_Magic", "type": "sentence_transformers.models.Magic"})'),
    ("modules.json", 'd[1]["path"] = "../elsewhere"'),
    ("1_Pooling/config.json", 'd["pooling_mode_lasttoken"] = True'),
    ("1_Pooling/config.json", 'd["pooling_mode_cls_token"] = True'),
    ("1_Pooling/config.json", 'd["word_embedding_dimension"] = 13'),
    ("tokenizer.json", 'd["normalizer"]["type"] = "Magic"'),
    ("tokenizer.json", 'd["pre_tokenizer"]["extra"] = 1'),
    ("tokenizer.json", 'd["model"]["type"] = "Unigram"'),
    ("tokenizer.json", 'd["model"]["vocab"]["zebra"] = 10 ** 6'),
    ("tokenizer.json", 'd["model"]["vocab"]["zebra"] = -1'),
    ("sentence_bert_config.json", 'd["max_seq_length"] = 0'),
]
for number, (file, change) in enumerate(changes, 1):
    shutil.copytree("good", "bad%d" % number)
    d = json.load(open("bad%d/%s" % (number, file)))
    exec(change)
    json.dump(d, open("bad%d/%s" % (number, file), "w"))
END
for i in $(seq 21); do says modnet import bad$i -o out/; done
fresh() { rm -rf bad && cp -r good bad; }
fresh; head -c 3000 good/model.safetensors >bad/model.safetensors; says modnet import bad -o out/
fresh; head -c 4 good/model.safetensors >bad/model.safetensors; says modnet import bad -o out/
fresh; : >bad/config.json; says modnet import bad -o out/
fresh; rm bad/tokenizer.json; says modnet import bad -o out/
fresh; rm bad/model.safetensors; says modnet import bad -o out/
fresh; python3 - <<'END'
import struct
data = bytearray(open("good/model.safetensors", "rb").read())
data[-4:] = struct.pack("<f", float("nan"))  # a weight that is used
open("bad/model.safetensors", "wb").write(data)
END
says modnet import bad -o out/
says modnet import nowhere -o out/
says modnet import good -o out/ --tap hidden.7
says modnet import good -o out/ --tap nonsense
says modnet import good -o out/ --max-length 64
says modnet import good -o out/ --name "a b"
ls -d out 2>/dev/null || echo "nothing left behind"
