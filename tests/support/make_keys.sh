# For command-line cases: Ed25519 keys, the same ones every time and of no use to anybody, made by the openssl program.
command -v openssl >/dev/null || { echo "skipped: no openssl"; exit 77; }

# fixed_key NAME LETTER: NAME.pem and NAME.pub.pem, of the seed that is 32 times that letter (PKCS#8 as RFC 8410 has it).
fixed_key() {
  { printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'; printf '%032d' 0 | tr 0 "$2"; } >"$1.der"
  openssl pkey -inform DER -in "$1.der" -out "$1.pem"
  openssl pkey -in "$1.pem" -pubout -out "$1.pub.pem"
  rm "$1.der"
}
