/** Which of OpenAI's vocabularies is nearest to a model's own. */

export type Vocabulary = 'o200k_base' | 'cl100k_base'

/** Models before gpt-4o (tiktoken's own list). Everything newer, and other makers' models, are nearer to the larger one. */
const OLDER = /(^|[/.])(gpt-4(?!o|\.[1-9])|gpt-3\.5|gpt-35|text-embedding-|davinci-002|babbage-002)/

export const vocabularyOf = (model: string): Vocabulary => (OLDER.test(model) ? 'cl100k_base' : 'o200k_base')
