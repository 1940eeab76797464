import type { Principal } from '../core/principal.ts'
import type { Io } from './io.ts'

/**
 * Who sent this request: the one door of every route that is not open to all (src/auth says how it is found out).
 * Keys are known at once; only for others somebody has to be waited for.
 * @param headers the request's, or those with a key that stood elsewhere @throws Refusal 401, 403, 429, 503
 */
export const authenticate = (
  request: Request,
  io: Pick<Io, 'admit'>,
  headers: Headers = request.headers,
): Principal | Promise<Principal> => io.admit(request, headers, 'models')
