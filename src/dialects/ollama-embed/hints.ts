/** Fields of Ollama's embedding requests whose loss changes nothing in the vectors. */
export const HARMLESS: ReadonlySet<string> = new Set(['keep_alive', 'options', 'truncate'])
