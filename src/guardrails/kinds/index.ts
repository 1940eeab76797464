/** All kinds of guards. */
import type { Kind } from '../kind.ts'
import { azureShield, azureText } from './azure.ts'
import { bedrock } from './bedrock.ts'
import { injection } from './injection.ts'
import { invisible } from './invisible.ts'
import { judge } from './judge.ts'
import { lakera } from './lakera.ts'
import { languages } from './language.ts'
import { lockllm } from './lockllm.ts'
import { model } from './model.ts'
import { openaiModeration } from './openai-moderation.ts'
import { pii } from './pii.ts'
import { presidio } from './presidio.ts'
import { refusal } from './refusal.ts'
import { schema } from './schema.ts'
import { secrets } from './secrets.ts'
import { size } from './size.ts'
import { urls } from './urls.ts'
import { genericGuardrailApi, webhook } from './webhook.ts'
import { words } from './words.ts'

export const kinds: readonly Kind[] = [
  pii,
  secrets,
  words,
  injection,
  invisible,
  urls,
  languages,
  size,
  schema,
  refusal,
  lockllm,
  openaiModeration,
  presidio,
  lakera,
  azureText,
  azureShield,
  bedrock,
  model,
  judge,
  webhook,
  genericGuardrailApi,
]

const BY_NAME = new Map(kinds.flatMap((one) => [one.kind, ...one.litellm].map((name) => [name, one] as const)))

/** @param name ours, or that of LiteLLM's type */
export const kindNamed = (name: string): Kind | undefined => BY_NAME.get(name)
