# What tests/run and examples/quickstart need: root installs it and keeps apt-get's words in a log, anybody else is told its
# names and goes on. With stand-ins for the system's commands.
mkdir system
cat >system/dpkg-query <<'END'
#!/bin/sh
for name; do :; done
[ "$name" = here ] && printf 'ii '
END
cat >system/apt-get <<'END'
#!/bin/sh
echo "apt-get $*"
[ -z "$(cat)" ] || echo "apt-get was given the script's input"
case " $* " in *" lost "*) echo "E: Unable to locate package lost" >&2; exit 100;; esac
END
cat >system/id <<'END'
#!/bin/sh
echo "$USER_ID"
END
chmod +x system/*
export PATH=$PWD/system:$PATH XDG_CACHE_HOME=$PWD/cache USER_ID=1000
. "$SOURCE/tests/support/packages.sh"

echo "== nothing is missing"
need_packages here
echo "exit $?"
echo "== not root"
need_packages here one two 2>&1
echo "exit $?"
ls cache 2>/dev/null
echo "== root"
USER_ID=0
need_packages here one two <<<"not for apt-get" 2>&1 | sed "s|$PWD|DIR|"
echo "exit ${PIPESTATUS[0]}"
cat cache/modnet/apt.log
echo "== root, and it cannot be had"
need_packages here lost 2>&1 | sed "s|$PWD|DIR|"
echo "exit ${PIPESTATUS[0]}"
