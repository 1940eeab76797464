/**
 * How somebody outside is asked: by the one way out of the house, which judges addresses and never follows a redirect.
 * @param named whether the operator wrote this address himself: private ones are asked only then
 */
export type WayOut = (url: string, named: boolean, init: RequestInit & { method?: string }) => Promise<Response>
