/** The operator's own program that sets DNS records for DNS-01 challenges. */

/** DNS servers may need minutes until a record is seen everywhere; the hook waits for it. */
const LONGEST_MS = 10 * 60_000

/**
 * @param step `set` or `remove`
 * @param record `_acme-challenge.llm.example.com`
 * @throws Error with the end of what the program said, where it ended with another code than 0
 */
export async function runHook(program: string, step: 'set' | 'remove', record: string, value: string): Promise<void> {
  const child = Bun.spawn([program, step, record, value], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    // Its own credentials are its own matter: ours are none of its business.
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  })
  const said = await new Response(child.stderr).text()
  const code = await child.exited
  if (code !== 0)
    throw new Error(`The DNS hook ended with ${code} at \`${step} ${record}\`: ${said.trim().slice(-300)}`)
}
