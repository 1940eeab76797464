import { z } from 'zod'
import { defineProvider } from '../src/upstream/provider.ts'
import { awsIdentity, awsIdentityEnv, checkIdentity, sign } from './bedrock.ts'

const settings = z
  .object({ api_base: z.string().optional(), ...awsIdentity })
  .superRefine((s, context) => checkIdentity(s, s.aws_region_name, context))
type Settings = z.infer<typeof settings>

/** Endpoints of Amazon SageMaker whose containers speak OpenAI's chat: `sagemaker_chat/ENDPOINT`. */
export default defineProvider<Settings>({
  id: 'sagemaker_chat',
  settings: settings as unknown as z.ZodType<Settings>,
  env: { api_base: ['SAGEMAKER_BASE_URL'], ...awsIdentityEnv },
  speaks: {
    'sagemaker-chat': (endpoint, stream) =>
      `/endpoints/${encodeURIComponent(endpoint)}/invocations${stream ? '-response-stream' : ''}`,
  },
  origin: (s) => s.api_base?.replace(/\/+$/, '') ?? `https://runtime.sagemaker.${s.aws_region_name}.amazonaws.com`,
  headers: () => ({}),
  authorize: (s, request) => sign(s, 'sagemaker', s.aws_region_name ?? '', request),
  prices: 'unlisted',
  abilities: { tools: true },
})
