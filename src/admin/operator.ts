/** The user of LiteLLM's `UI_USERNAME`. */
import type { Register } from './register.ts'

/** He manages everything. One who is there already stays as he is. */
export function makeOperator(register: Register, id: string, at: number): void {
  if (register.holder('user', id)) return
  register.put({
    ...{ kind: 'user', id, role: 'proxy_admin', models: [], limits: {}, blocked: false, metadata: {} },
    ...{ createdAt: at, updatedAt: at },
  })
}
