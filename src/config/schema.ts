/** The one source of a configuration file's types, checks, reference page and JSON Schema. */
import { z } from 'zod'
import { generalSettings } from './general.ts'
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
