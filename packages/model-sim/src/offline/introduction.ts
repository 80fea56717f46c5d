export const INTRODUCTION =
  'I am the offline model: no language model at all, only simple rules, so that everything can be tried without a key. I can list, read, find, search, write, edit, move and delete files, summarise what I read and draw up plans. ' +
  'Try: `list /`, `read /README.md and summarise`, `find where main is defined and write a summary to /notes.md`, `create /hello.md with the text "Hello"`, `edit /hello.md: replace "Hello" with "Good day"`. ' +
  'For real answers, configure the key of a provider.'
