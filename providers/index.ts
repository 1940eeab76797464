/** Every provider. A list and not a search of the folder, so that it also holds in one compiled file; a test keeps it whole. */
import type { Provider } from '../src/upstream/provider.ts'
import anthropic from './anthropic.ts'
import demo from './demo.ts'
import gemini from './gemini.ts'
import ollama from './ollama.ts'
import openai from './openai.ts'
import openrouter from './openrouter.ts'

export const providers: readonly Provider[] = [openai, anthropic, ollama, gemini, openrouter, demo] as Provider[]
