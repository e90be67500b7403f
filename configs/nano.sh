#!/usr/bin/env bash
# Train a model like the bundled one; `make nano` calls this. Run again, it goes on where it stopped.
# DATA= is a folder of labelled recordings, TEXTS= a text file with a sentence on each line, KOKORO= the folder of the
# teacher's files (docs/data.md). The steps are those of the bundled model: a rented GPU trained stage 1 and the first
# round of stage 2 in ten minutes. Two CPU cores trained the rest in three hours and drew the pairs in one and a half. Without
# a GPU the ten minutes take days, and STEPS_SCALE=0.1 takes a tenth of all steps. A WORK folder of an earlier version is
# refused: choose a new one. PRECISION=fp32 is the best on a CPU that has no bf16 instructions.
set -euo pipefail
: "${DATA:?folder of labelled recordings}" "${TEXTS:?text file, a sentence a line}" "${KOKORO:?folder of the files of kokoro}"
WORK="${WORK:-runs/nano}" SCALE="${STEPS_SCALE:-1}" WORKERS="${WORKERS:-2}" PRECISION="${PRECISION:-bf16}"
TEACHER="${TEACHER:-af_heart}" READER="${READER:-kathleen}" SENTENCES="${SENTENCES:-3730}"
# The share of texts whose first one to three words are also a lesson of their own. Without such lessons a voice does not end short lines well.
FRAGMENTS="${FRAGMENTS:-0.1}"
# Just below half of the sentences are spoken by the default voice, the others by other voices and by blends of two.
VOICES="${VOICES:-$TEACHER=0.45,af_bella,af_sarah,af_nova,am_michael,am_fenrir,bf_emma,bm_george,af_sky+af_nova:0.6,am_puck+am_liam:0.4,bf_isabella+af_bella:0.3}"
tts() { triforce-tts "$@"; }
steps() { awk "BEGIN { n = int($1 * $SCALE); print n < 1 ? 1 : n }"; }
common=(--set run.minutes=0 --set "run.precision=$PRECISION" --set run.ema=0.999)
heldout=()
[ -f "$DATA/heldout.json" ] && heldout=(--heldout "$DATA/heldout.json")

echo "== shards"
tts build "$DATA" --sample-rate 24000 --align --out "$WORK/shards/real" --workers "$WORKERS" "${heldout[@]}"
tts build synthetic "$TEXTS" --engine kokoro --assets "$KOKORO" --voices "$VOICES" --speeds 0.9,0.95,1.0,1.0,1.05,1.1 \
  --fragments "$FRAGMENTS" --sentences "$SENTENCES" --sample-rate 24000 --out "$WORK/shards/teacher" --workers "$WORKERS" "${heldout[@]}"

echo "== stage 1: DVAE on real and synthetic speech"
sound=(--data "$WORK/shards/teacher" --data "$WORK/shards/real")
tts train dvae "${sound[@]}" --run "$WORK/dvae" "${common[@]}" \
  --set run.steps="$(steps 2938)" --set run.batch_size=64 --set run.warmup_steps="$(steps 300)"

echo "== codes: each training sample also slower, faster, and beginning within a code frame"
tts codes --dvae "$WORK/dvae" --data "$WORK/shards/teacher" --out "$WORK/codes/teacher" --workers "$WORKERS" \
  --speed 0.9 --speed 1.1 --shifts 2
tts codes --dvae "$WORK/dvae" --data "$WORK/shards/real" --out "$WORK/codes/real" --workers "$WORKERS" --speed 0.9 --speed 1.1
# The second round of stage 2 hears everyone at their own speed, and takes its pace from that.
tts codes --dvae "$WORK/dvae" --data "$WORK/shards/teacher" --out "$WORK/codes/teacher-as-spoken" --workers "$WORKERS" --shifts 2
tts codes --dvae "$WORK/dvae" --data "$WORK/shards/real" --out "$WORK/codes/real-as-spoken" --workers "$WORKERS"

echo "== stage 2: GPT on all readers, the teacher's default voice three times as often; the checkpoint of the best validation"
tts train gpt --data "$WORK/codes/teacher" --data "$WORK/codes/real" --run "$WORK/gpt-first" "${common[@]}" \
  --set run.steps="$(steps 2648)" --set run.batch_size=96 --set run.warmup_steps="$(steps 200)" --set run.keep_best=speech_loss \
  --set run.validate_every="$(steps 1000)" --set "data.repeat={kokoro-$TEACHER: 3, $READER: 2}"

echo "== stage 2 once more: from that checkpoint, with small batches; then the mean of the weights of both rounds"
tts train gpt --data "$WORK/codes/teacher-as-spoken" --data "$WORK/codes/real-as-spoken" --run "$WORK/gpt-second" "${common[@]}" \
  --set run.init_from="$WORK/gpt-first/best" --set run.steps="$(steps 661)" --set run.batch_size=24 --set run.ema=0.99 \
  --set run.learning_rate=7e-4 --set run.warmup_steps="$(steps 40)" --set run.keep_best=speech_loss --set run.validate_every="$(steps 150)" \
  --set data.max_seconds=12 --set "data.mixture=[0.82, 0.05, 0.1, 0.03]" --set "data.repeat={kokoro-$TEACHER: 2}"
tts average "$WORK/gpt-first/best" "$WORK/gpt-second/best" --out "$WORK/gpt" --force

echo "== stage 3: pulses and noise through filters, on all readers, the teacher's default voice twice as often"
tts train diffusion "${sound[@]}" --dvae "$WORK/dvae" --run "$WORK/diffusion" "${common[@]}" \
  --set run.steps="$(steps 5615)" --set run.batch_size=16 --set run.warmup_steps="$(steps 100)" --set run.ema=0.998 \
  --set run.keep_best=spectrum --set run.validate_every="$(steps 1000)" --set "data.repeat={kokoro-$TEACHER: 2}"

clip="${VOICE_CLIP:-triforce_tts/assets/voices/$TEACHER.flac}"
bundle() { tts bundle --dvae "$WORK/dvae" --gpt "$1" --diffusion "$WORK/diffusion/best" --name nano --voice "$clip" --out "$2" --force; }
# Renditions of texts by a model become pairs: pairs MODEL TEXTS LIMIT OUT VOICES...
pairs() {
  tts prefer --model "$1" --config nano --texts "$2" --limit "$3" --workers "$WORKERS" --out "$4" "${@:5}" "${heldout[@]/#--heldout/--not-in}"
}
learn() { tts train dpo --config nano --pairs "$1" --init "$2" --run "$3" --set "run.precision=$PRECISION" --set run.steps="$4"; }

echo "== stage 2 learns from its own words: pairs of renditions, heard by the recogniser; then as far again in the same direction"
bundle "$WORK/gpt" "$WORK/model-before-pairs"
pairs "$WORK/model-before-pairs" "$TEXTS" "$(steps 1275)" "$WORK/pairs" \
  --voice "$clip=0.7" --voice kathleen=0.08 --voice af_bella=0.08 --voice bf_emma=0.07 --voice am_michael=0.07
learn "$WORK/pairs" "$WORK/model-before-pairs" "$WORK/dpo" "$(steps 140)"
tts average "$WORK/gpt" "$WORK/dpo" --share 2 --out "$WORK/gpt-words" --force

echo "== stage 2 learns to be understood in cloned voices: pairs of other texts, most of them in the voices of the readers"
bundle "$WORK/gpt-words" "$WORK/model-before-clones"
tail -n "$(steps 1500)" "$TEXTS" > "$WORK/last-texts.txt"
pairs "$WORK/model-before-clones" "$WORK/last-texts.txt" "$(steps 1360)" "$WORK/pairs-clones" \
  --voice "$clip=0.2" --voice kathleen=0.05 --voice af_bella=0.03 --voice bf_emma=0.03 --voice am_michael=0.04 \
  --voice "$WORK/shards/teacher=0.12" --voice "$WORK/shards/real=0.53"
learn "$WORK/pairs-clones" "$WORK/model-before-clones" "$WORK/dpo-clones" "$(steps 150)"

echo "== bundle"
bundle "$WORK/dpo-clones" "$WORK/model"
echo "done: $WORK/model"
