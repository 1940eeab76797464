/** The one source of a configuration file's types, checks, reference page and JSON Schema. */
import { z } from 'zod'
import { generalSettings } from './general.ts'
import { guardrails } from './guardrails.ts'
import { litellmSettings } from './litellm.ts'
import { modelEntry } from './model.ts'
import { routerSettings } from './router.ts'
import { tollgateSettings } from './tollgate.ts'

export const fileSchema = z
  .strictObject({
    model_list: z
      .array(modelEntry)
      .default([])
      .describe('What callers may ask for. Without it, models are discovered.'),
    credential_list: z
      .array(
        z.strictObject({
          credential_name: z.string().min(1).describe('What models call it: `litellm_credential_name`.'),
          credential_values: z
            .record(z.string(), z.string())
            .describe('Settings of `litellm_params`: `{ api_key: os.environ/OPENAI_API_KEY }`.'),
          credential_info: z
            .record(z.string(), z.unknown())
            .default({})
            .describe('Whatever is to be remembered of it.'),
        }),
      )
      .default([])
      .describe('Credentials of providers by name, for models that share them.'),
    guardrails,
    general_settings: generalSettings.prefault({}),
    litellm_settings: litellmSettings.prefault({}),
    router_settings: routerSettings.prefault({}),
    tollgate: tollgateSettings.prefault({}),
    environment_variables: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .describe('Variables to set before the rest of the file is read. They win over the environment.'),
  })
  .describe('The configuration of a Tollgate.')

/** A file that has been checked, in LiteLLM's words. */
export type FileConfig = z.output<typeof fileSchema>
export type ModelEntry = z.output<typeof modelEntry>
