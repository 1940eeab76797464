/** Secrets that lie elsewhere, read again while the gateway runs. */
import { renew } from '../secrets/renew.ts'
import type { Config } from './config.ts'
import type { Renewal } from './files.ts'

export interface RenewalHooks {
  /** The configuration's secrets are other ones now. */
  changed(): void
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** @param config whose secrets are in use */
export function startRenewal(renewal: Renewal, config: Config, hooks: RenewalHooks): { stop(): void } {
  let told = ''
  let stopped = false
  let timer: ReturnType<typeof setTimeout>
  const look = async () => {
    const { loaded, faults } = await renewal.again()
    if (stopped) return
    const wrong = [...faults, ...(loaded.ok ? [] : loaded.errors.map(({ path, message }) => `${path}: ${message}`))]
    // The same trouble is told once, and its end, too.
    if (wrong.join() !== told && wrong.length > 0)
      hooks.warn('Secrets could not be read again: those that were read before stay in use.', {
        told: wrong.slice(0, 10),
      })
    else if (wrong.length === 0 && told !== '') hooks.info('All secrets can be read again.', {})
    told = wrong.join()
    if (loaded.ok) take(loaded.config)
    wait()
  }
  const take = (read: Config) => {
    const { secrets, others } = renew(config, read)
    if (secrets.length > 0) {
      hooks.changed()
      hooks.info('Secrets have changed, and are used from now on.', { settings: secrets.slice(0, 50) })
    }
    if (others.length > 0)
      hooks.warn('Settings that are no secrets have changed where secrets lie: they hold from the next start.', {
        settings: others.slice(0, 50),
      })
  }
  const wait = () => {
    timer = setTimeout(() => void look(), renewal.everyMs)
    timer.unref()
  }
  wait()
  return {
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}
