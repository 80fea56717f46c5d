/** Padding to a multiple of 16 characters, which hides the length of a delta from who watches the line. OpenAI adds it to every delta. */
export function obfuscation(delta: string): string {
  return 'aQ3xZ8kLm0PdVw7R'.slice(delta.length % 16)
}
