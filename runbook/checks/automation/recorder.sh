#!/bin/sh
# Stands in for inv while a script is looked at: writes down with what it is run ($RECORDED), and ends with $RECORDED_CODE.
printf '%s\n' "$*" >>"$RECORDED"
exit "$RECORDED_CODE"
