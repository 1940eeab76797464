/** `general_settings`: the server itself. */
import { z } from 'zod'

const header = (description: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header: letters, digits and hyphens')
    .optional()
    .describe(description)

export const generalSettings = z
  .strictObject({
    master_key: z
      .string()
      .optional()
      .describe(
        'The key of the administrator. Begins with `sk-` and has at least 8 characters. Default: `TOLLGATE_MASTER_KEY` or `LITELLM_MASTER_KEY` of the environment, else one is made at the first start and shown once.',
      ),
    key_header: header(
      'A header of your own choosing that carries the key, beside `Authorization`, `x-api-key` and `api-key`.',
    ),
    litellm_key_header_name: header("LiteLLM's word for `key_header`."),
    budget_exceeded_status_code: z
      .number()
      .int()
      .min(400)
      .max(499)
      .optional()
      .describe('HTTP status of a refusal for want of budget. Default: 422.'),
  })
  .describe('The server itself.')
