#!/usr/bin/env bash
# Train a model like the bundled one from labelled recordings and a text file; `make nano` calls this. Run again, it goes
# on where it stopped. Minutes are of training on the machine at hand; MINUTES_SCALE=3 trains three times as long.
# The bundled model was trained in two rounds, the second from the weights of the first: stage 1 for 14 and 24 minutes,
# stage 2 for 50 and 42, stage 3 for 36 and 10 (its MODEL_CARD.md has the steps). This is the first round's length, in one.
set -euo pipefail
: "${DATA:?folder of labelled recordings}" "${TEXTS:?text file, a sentence a line}"
WORK="${WORK:-runs/nano}" SCALE="${MINUTES_SCALE:-1}" WORKERS="${WORKERS:-2}"
VOICE_SPEAKER="${VOICE_SPEAKER:-kathleen}"
tts() { triforce-tts "$@"; }
minutes() { awk "BEGIN { print $1 * $SCALE }"; }

command -v flite > /dev/null || {
  echo "the program 'flite' is not installed; it makes the synthetic lessons: apt-get install flite" >&2
  exit 2
}
heldout=()
[ -f "$DATA/heldout.json" ] && heldout=(--heldout "$DATA/heldout.json")

echo "== shards"
tts build "$DATA" --sample-rate 16000 --align --out "$WORK/shards/real" --workers "$WORKERS" "${heldout[@]}"
tts build synthetic "$TEXTS" --engine flite --voices rms,slt,awb --max-characters 90 --sentences 8000 \
  --sample-rate 16000 --align --out "$WORK/shards/flite" --workers "$WORKERS" "${heldout[@]}"

echo "== stage 1: DVAE on real and synthetic speech, an hour of each speaker at most"
tts train dvae --data "$WORK/shards/real" --data "$WORK/shards/flite" --run "$WORK/dvae" \
  --set run.minutes="$(minutes 14)" --set data.speaker_hours=1 --set "data.repeat={$VOICE_SPEAKER: 2}"
for corpus in flite real; do
  tts codes --dvae "$WORK/dvae" --data "$WORK/shards/$corpus" --out "$WORK/codes/$corpus" --workers "$WORKERS"
done

echo "== stage 2: GPT on all readers, synthetic and real, an hour and a half of each at most, the voice three times as often"
tts train gpt --data "$WORK/codes/flite" --data "$WORK/codes/real" --run "$WORK/gpt" \
  --set run.minutes="$(minutes 50)" --set data.speaker_hours=1.5 --set "data.repeat={$VOICE_SPEAKER: 3}"

echo "== stage 3: diffusion"
tts train diffusion --data "$WORK/shards/real" --dvae "$WORK/dvae" --run "$WORK/diffusion" \
  --set run.minutes="$(minutes 36)" --set "data.repeat={$VOICE_SPEAKER: 2}"

echo "== bundle"
tts bundle --dvae "$WORK/dvae" --gpt "$WORK/gpt" --diffusion "$WORK/diffusion" --name nano \
  --voice "${VOICE_CLIP:-triforce_tts/assets/voices/kathleen.flac}" --out "$WORK/model" --force
echo "done: $WORK/model"
