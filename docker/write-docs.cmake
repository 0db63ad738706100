# SPDX-License-Identifier: MIT
# Writes fffa.8, fffa.yaml.5 and fffa.schema.json from what the program says of itself. FFFA, VERSION.
foreach(page IN ITEMS "--man;fffa.yaml.5" "--schema;fffa.schema.json")
  list(GET page 0 option)
  list(GET page 1 name)
  execute_process(COMMAND ${FFFA} config ${option} OUTPUT_FILE ${name} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# escape(VARIABLE): text as man(7) wants it in a block that is not filled.
function(escape name)
  string(REPLACE "\\" "\\e" text "${${name}}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  set(${name} "${text}" PARENT_SCOPE)
endfunction()

execute_process(COMMAND ${FFFA} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n  [a-z]+ " commands "${help}")
escape(help)
set(page ".TH FFFA 8 \"\" \"fffa ${VERSION}\" \"Flow logs of this host\"
.SH NAME
fffa \\- flow logs of this host in the AWS VPC Flow Logs format
.SH SYNOPSIS
.B fffa
.I COMMAND
.RI [ OPTION ]...
.SH DESCRIPTION
.nf
${help}.fi
.SH COMMANDS
")
foreach(command IN LISTS commands)
  string(STRIP "${command}" command)
  execute_process(COMMAND ${FFFA} ${command} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
  escape(help)
  string(APPEND page ".SS ${command}\n.nf\n${help}.fi\n")
endforeach()
string(APPEND page ".SH EXIT STATUS
0 done; 1 failed while running; 2 wrong usage; 77 a privilege is missing, which the message names; 78 the configuration is wrong.
.SH FILES
.I /etc/fffa/fffa.yaml
.SH SEE ALSO
.BR fffa.yaml (5)
")
file(WRITE fffa.8 "${page}")
