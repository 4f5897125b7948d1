#!/usr/bin/env bash
# A real SLURM on this machine alone, for tests: controller, node and munge on the loopback address.
#
#   scripts/slurm_local.sh start    starts it; its settings are in $DIR/slurm.conf
#   scripts/slurm_local.sh stop     ends it and removes $DIR
#
# $DIR is ROADEX_SLURM, else /tmp/roadex-slurm. Use it with SLURM_CONF=$DIR/slurm.conf. It has to be
# root's; the Debian packages are installed where they are missing. Exit code 77: it cannot run here.
set -euo pipefail
DIR=${ROADEX_SLURM:-/tmp/roadex-slurm}
CANNOT=77
export SLURM_CONF=$DIR/slurm.conf
PATH=$PATH:/usr/sbin:/sbin

cannot() { echo "no SLURM here: $*" >&2; exit $CANNOT; }

install_packages() {
    command -v slurmctld slurmd munged srun >/dev/null && return
    command -v apt-get >/dev/null || cannot "slurmctld, slurmd and munge are not installed"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends slurmctld slurmd slurm-client munge; } >"$DIR/apt.log" 2>&1 ||
        cannot "its packages cannot be installed ($(tail -1 "$DIR/apt.log"))"
}

write_settings() {
    local host cpus memory
    host=$(hostname -s) cpus=$(nproc)
    memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
    # cred_expire: a job that is queued again waits this many seconds, two minutes by default.
    cat >"$SLURM_CONF" <<CONF
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$DIR/munge/socket,cred_expire=5
StateSaveLocation=$DIR/state
SlurmdSpoolDir=$DIR/spool
SlurmctldPidFile=$DIR/slurmctld.pid
SlurmdPidFile=$DIR/slurmd.pid
SlurmctldLogFile=$DIR/slurmctld.log
SlurmdLogFile=$DIR/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
JobRequeue=1
KillWait=10
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory
PartitionName=local Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
}

start_munge() {
    mkdir -p -m 700 "$DIR/munge"
    head -c 1024 /dev/urandom >"$DIR/munge/key"
    chmod 600 "$DIR/munge/key"
    munged --force --key-file="$DIR/munge/key" --socket="$DIR/munge/socket" \
        --log-file="$DIR/munge/log" --pid-file="$DIR/munge/pid" --seed-file="$DIR/munge/seed"
}

start() {
    [ "$(id -u)" = 0 ] || cannot "only root can start it"
    stop
    mkdir -p -m 755 "$DIR" "$DIR/state" "$DIR/spool"
    install_packages
    write_settings
    start_munge
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for _ in $(seq 60); do
        [ "$(sinfo --noheader --format=%t 2>/dev/null)" = idle ] && return
        sleep 1
    done
    tail -5 "$DIR/slurmctld.log" "$DIR/slurmd.log" >&2
    cannot "its node did not come up within a minute"
}

stop() {
    local file pid
    for file in "$DIR"/slurmd.pid "$DIR"/slurmctld.pid "$DIR"/munge/pid; do
        [ -s "$file" ] || continue
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null || continue
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    done
    rm -rf "$DIR"
}

case ${1:-} in
start) start ;;
stop) stop ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
