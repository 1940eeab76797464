/** How the health of each target is checked, by what is known of its model. */
import type { Link } from '../upstream/link.ts'
import type { Checkup } from './health.ts'

/** What `model_info` says of it, in LiteLLM's words. Times in seconds. */
interface Said {
  mode?: string | undefined
  health_check_model?: string | undefined
  health_check_max_tokens?: number | undefined
  health_check_timeout?: number | undefined
  disable_background_health_check?: boolean | undefined
}

const LOOK_S = 5
/** LiteLLM's. */
const ASK_S = 60
/** Modes whose models can be asked for little. Others are looked at. */
const ASKED: readonly (string | undefined)[] = [undefined, 'chat', 'completion', 'responses', 'embedding']

export function checkupOf(link: Link, said: Said, prefix: string): Checkup {
  const model = said.health_check_model
  const isAsked = model !== undefined && ASKED.includes(said.mode)
  return {
    link,
    timeoutMs: (said.health_check_timeout ?? (isAsked ? ASK_S : LOOK_S)) * 1000,
    ask: isAsked
      ? {
          // LiteLLM has it with the provider's prefix.
          model: model.startsWith(`${prefix}/`) ? model.slice(prefix.length + 1) : model,
          embeds: said.mode === 'embedding',
          maxTokens: said.health_check_max_tokens ?? 1,
        }
      : undefined,
    background: said.disable_background_health_check !== true,
  }
}
