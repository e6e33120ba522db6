# For scripts that give one list of words to several commands: metasieve refuses keys that have no effect on a command.

# words_for COMMAND [WORD...]: the words without the keys, and their values, that do not act on generate, train or
# evaluate. Each ends with a NUL.
words_for() {
  local command=$1 word keep=yes is_value=no
  shift
  for word; do
    if [ $is_value = no ] && [[ $word == --*.* ]]; then
      keep=no
      case $command/${word%%=*} in
        generate/--suite.hold | generate/--suite.hold_features) ;;
        generate/--suite.* | generate/--family.* | generate/--output.checkpoint_minutes) keep=yes ;;
        generate/--output.io | evaluate/--output.io) keep=yes ;;
        generate/--run.max_minutes | generate/--run.margin_minutes) keep=yes ;;
        evaluate/--evaluate.* | evaluate/--inner.* | evaluate/--run.* | evaluate/--output.checkpoint_minutes) keep=yes ;;
        evaluate/--policy.keep | evaluate/--policy.temperature | evaluate/--policy.precision) keep=yes ;;
        evaluate/--suite.hold) keep=yes ;;
        train/--evaluate.* | train/--scaling.* | train/--sweep.*) ;;
        train/*) keep=yes ;;
      esac
      [[ $word == *=* ]] || is_value=yes
    elif [ $is_value = yes ]; then
      is_value=no
    else
      keep=yes
    fi
    [ $keep = no ] || printf '%s\0' "$word"
  done
}
