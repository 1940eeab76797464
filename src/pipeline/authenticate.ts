import type { Principal } from '../core/principal.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

/**
 * Who sent this request: the one door of every route that is not open to all (src/auth says how it is found out).
 * Keys are known at once; only for others somebody has to be waited for. From here on the call ends with his leave to be here.
 * @param headers the request's, or those with a key that stood elsewhere @throws Refusal 401, 403, 429, 503
 */
export async function authenticate(
  call: Call,
  io: Pick<Io, 'admit' | 'ipOf' | 'live'>,
  headers: Headers = call.request.headers,
): Promise<Principal> {
  // Asked for now: a connection that has ended has no address any more.
  call.ip = io.ipOf(call.request)
  const who = await io.admit(call.request, headers, 'models')
  call.who = who
  io.live.enter(call)
  return who
}
