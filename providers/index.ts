/** Every provider. A list and not a search of the folder, so that it also holds in one compiled file; a test keeps it whole. */
import type { Provider } from '../src/upstream/provider.ts'
import anthropic from './anthropic.ts'
import azure from './azure.ts'
import azureAi from './azure_ai.ts'
import bedrock from './bedrock.ts'
import cohere from './cohere.ts'
import compatible from './compatible.ts'
import demo from './demo.ts'
import gemini from './gemini.ts'
import jinaAi from './jina_ai.ts'
import ollama from './ollama.ts'
import openai from './openai.ts'
import openaiResponses from './openai_responses.ts'
import sagemakerChat from './sagemaker_chat.ts'
import vertexAi from './vertex_ai.ts'
import voyage from './voyage.ts'

/** Each in a file of its own name. */
const natives = [
  openai,
  openaiResponses,
  anthropic,
  ollama,
  azure,
  azureAi,
  gemini,
  vertexAi,
  bedrock,
  sagemakerChat,
  cohere,
  voyage,
  jinaAi,
  demo,
]

export const providers: readonly Provider[] = [...natives, ...compatible] as Provider[]
