# A chain on this machine and its programs: functions to build, start, check and stop them. Sourced by dev.sh
# and dev-train.sh, which set STATE, PORT and BLOCK_TIME before.

LOGS="$STATE/logs"
URL="ws://127.0.0.1:$PORT"
NODE="$BIN_DIR/noema-node"
WORKER="$BIN_DIR/noema-worker"
export NOEMA_URL="$URL"

hot_key() { printf '%s//hot' "$1"; }

NAMES=() # of the programs started, in order
PIDS=()

# launch NAME COMMAND...: starts it in the background; its output goes to a log of that name.
launch() {
    local name="$1"
    shift
    "$@" >>"$LOGS/$name.log" 2>&1 &
    PIDS+=($!)
    NAMES+=("$name")
}

# stop_one NAME: stops a program and waits for its end.
stop_one() {
    local i
    for i in "${!NAMES[@]}"; do
        [ "${NAMES[i]}" = "$1" ] || continue
        kill -TERM "${PIDS[i]}" 2>/dev/null || true
        wait "${PIDS[i]}" 2>/dev/null || true
        unset "NAMES[i]" "PIDS[i]"
    done
    NAMES=("${NAMES[@]}")
    PIDS=("${PIDS[@]}")
}

any_alive() {
    local pid
    for pid in "${PIDS[@]}"; do kill -0 "$pid" 2>/dev/null && return; done
    return 1
}

# Stops all programs in the reverse order of their start: the node outlives its clients.
stop_all() {
    local status=$? i
    trap - EXIT
    trap '' INT TERM HUP
    if [ ${#PIDS[@]} -gt 0 ]; then
        step "Stopping"
        for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do kill -TERM "${PIDS[i]}" 2>/dev/null || true; done
        for _ in $(seq 100); do
            any_alive || break
            sleep 0.1
        done
        kill -KILL "${PIDS[@]}" 2>/dev/null || true
        wait "${PIDS[@]}" 2>/dev/null || true
    fi
    exit "$status"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# check_running: exits with the last lines of its log if a program has ended.
check_running() {
    local i
    for i in "${!PIDS[@]}"; do
        kill -0 "${PIDS[i]}" 2>/dev/null && continue
        tail -n 15 "$LOGS/${NAMES[i]}.log" >&2
        die "${NAMES[i]} has stopped; the lines above are the end of $LOGS/${NAMES[i]}.log"
    done
}

# port_is_open [PORT]: whether a program listens on a port of this machine, or on the node's.
port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/${1:-$PORT}") 2>/dev/null; }

# build OPTION...: builds the node and the worker, with further options of cargo.
build() {
    step "Building the node and the worker (the first time takes a while)"
    (cd "$ROOT" && cargo build --locked -p noema-node -p noema-worker "$@")
}

start_node() {
    step "Starting the chain: a block every $BLOCK_TIME ms"
    # The build may have taken long enough for another program to take the port.
    check_port
    launch node "$NODE" --dev --base-path "$STATE/chain" --rpc-port "$PORT" --block-time "$BLOCK_TIME"
    local _
    # At the first start, the node compiles the runtime.
    for _ in $(seq 1800); do
        check_running
        port_is_open && return
        sleep 0.1
    done
    die "the node does not listen on port $PORT after three minutes; see $LOGS/node.log"
}

# claim_state: takes the lock, which the programs started here share; exits with a message where another
# process has it.
claim_state() {
    mkdir -p "$LOGS"
    exec 9>"$STATE/lock"
    flock -n 9 || die "another dev.sh uses $STATE, or one was killed and left programs behind: $(cat "$STATE/pids" 2>/dev/null || true)"
    check_port
}

check_port() {
    ! port_is_open || die "port $PORT is in use; choose another with --port, or stop the program that listens there"
}

# check_numbers: exits if port or block time is invalid.
check_numbers() {
    [[ "$BLOCK_TIME" =~ ^[1-9][0-9]{2,5}$ && "$BLOCK_TIME" -le 600000 ]] || die "--block-time takes milliseconds, from 100 to 600000"
    [[ "$PORT" =~ ^[1-9][0-9]{0,4}$ && "$PORT" -le 65535 ]] || die "--port takes a number from 1 to 65535"
}
