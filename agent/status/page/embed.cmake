# SPDX-License-Identifier: MIT
# Writes OUT, a header with the whole page as bytes, its ETag, and its Content-Security-Policy, which names the hashes of
# the style and the script. SOURCE: this folder. SCRIPTS: names, separated by commas. PORTS: the list of names of ports.

# hash_source(VARIABLE TEXT): "'sha256-BASE64'". Three hex digits of the hash are two digits of base64.
function(hash_source name text)
  set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  string(SHA256 hex "${text}")
  set(hex "${hex}00")
  set(base64 "")
  foreach(at RANGE 0 63 3)
    string(SUBSTRING "${hex}" ${at} 3 three)
    math(EXPR high "0x${three} >> 6")
    math(EXPR low "0x${three} & 63")
    string(SUBSTRING "${digits}" ${high} 1 high)
    string(SUBSTRING "${digits}" ${low} 1 low)
    string(APPEND base64 "${high}${low}")
  endforeach()
  string(SUBSTRING "${base64}" 0 43 base64) # the last digit is of the zeros, and stands for padding
  set(${name} "'sha256-${base64}='" PARENT_SCOPE)
endfunction()

file(READ ${SOURCE}/page.html page)
file(READ ${SOURCE}/page.css style)
# PORT(443, 6, "https") becomes ["6/443","https"].
file(STRINGS ${PORTS} ports REGEX "^PORT")
list(TRANSFORM ports REPLACE "^PORT.([0-9]+), ([0-9]+), (\"[^\"]+\").$" "[\"\\2/\\1\",\\3]")
list(JOIN ports "," ports)
set(script "(function () {\n\"use strict\";\nconst PORTS = new Map([${ports}]);\n")
string(REPLACE "," ";" SCRIPTS "${SCRIPTS}")
foreach(name IN LISTS SCRIPTS)
  file(READ ${SOURCE}/${name} text)
  string(APPEND script "\n${text}")
endforeach()
string(APPEND script "}());\n")

hash_source(style_hash "${style}")
hash_source(script_hash "${script}")
string(REPLACE "@STYLE@" "${style}" page "${page}")
string(REPLACE "@SCRIPT@" "${script}" page "${page}")
string(SHA256 etag "${page}")
string(SUBSTRING "${etag}" 0 32 etag)

file(WRITE ${OUT}.html "${page}")
file(READ ${OUT}.html bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "/* Made by embed.cmake. */
#define PAGE_ETAG \"\\\"${etag}\\\"\"
#define PAGE_STYLE_HASH \"${style_hash}\"
#define PAGE_SCRIPT_HASH \"${script_hash}\"
static const unsigned char page_bytes[] = {
${bytes}};
")
