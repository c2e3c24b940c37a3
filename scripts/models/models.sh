# Tiny models with random weights. Sourced after common.sh.

# write_models FOLDER NAME...: writes them as write.py does. SOURCES receives their files and folders, and MODELS the
# list of them.
write_models() {
    local sources
    sources="$(python3 "$ROOT/scripts/models/write.py" "$@")" || exit 1
    mapfile -t SOURCES <<<"$sources"
    MODELS="$1/models.json"
}
