/** Whether an Ollama can be reached other than through us: it has no lock of its own. Found out by connecting. */
import { lookup } from 'node:dns/promises'
import { connect, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { error, type Finding, note, ok } from './finding.ts'

const PATIENCE = 2_000

/** This machine's addresses beyond the loopback, without those of one link. */
export const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).flatMap(({ address, internal }) => (internal || address.startsWith('fe80:') ? [] : [address])),
  )

const isLoopback = (address: string): boolean => /^127\.|^::1$/.test(address)

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE })
    const end = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket
      .on('connect', () => end(true))
      .on('error', () => end(false))
      .on('timeout', () => end(false))
  })

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)

const commands = (port: number): string =>
  [
    '# Ollama listens on the loopback only (systemd):',
    'sudo mkdir -p /etc/systemd/system/ollama.service.d',
    `printf '[Service]\\nEnvironment="OLLAMA_HOST=127.0.0.1:${port}"\\n' | sudo tee /etc/systemd/system/ollama.service.d/loopback.conf`,
    'sudo systemctl daemon-reload && sudo systemctl restart ollama',
    `# or, where it has to listen on all of them, a firewall:`,
    `sudo nft add table inet tollgate && sudo nft 'add chain inet tollgate input { type filter hook input priority 0; }' && sudo nft add rule inet tollgate input iifname != lo tcp dport ${port} drop`,
    `sudo iptables -I INPUT ! -i lo -p tcp --dport ${port} -j DROP && sudo ip6tables -I INPUT ! -i lo -p tcp --dport ${port} -j DROP`,
  ].join('\n')

/**
 * @param origins `http://127.0.0.1:11434`
 * @param addresses this machine's, beyond the loopback
 */
export async function ollamas(
  origins: readonly string[],
  addresses: readonly string[] = ownAddresses(),
): Promise<Finding[]> {
  if (origins.length === 0) return [note('ollama.none', 'No Ollama is configured here.')]
  const found: Finding[] = []
  for (const origin of new Set(origins)) {
    const { hostname, port: said, protocol } = new URL(origin)
    const host = hostname.replace(/^\[|\]$/g, '')
    const port = Number(said || (protocol === 'https:' ? 443 : 80))
    const resolved = isIP(host)
      ? [host]
      : await lookup(host, { all: true }).then(
          (all) => all.map((one) => one.address),
          () => [],
        )
    const isHere = resolved.some((address) => isLoopback(address) || addresses.includes(address))
    if (!isHere) {
      found.push(
        note(
          'ollama.elsewhere',
          `${origin} stands on another machine: who else reaches it can't be seen from here.`,
          'An Ollama asks nobody who he is: whoever reaches its port uses, loads and deletes models.',
          `# on that machine, with the address of this one in place of GATEWAY:\nsudo nft add table inet tollgate && sudo nft 'add chain inet tollgate input { type filter hook input priority 0; }' && sudo nft add rule inet tollgate input ip saddr != GATEWAY tcp dport ${port} drop`,
        ),
      )
      continue
    }
    const open: string[] = []
    for (const address of addresses) if (await answers(address, port)) open.push(address)
    if (open.length > 0)
      found.push(
        error(
          'ollama.open',
          `${origin} also answers at ${open.map((a) => `${bracketed(a)}:${port}`).join(', ')}: it can be reached past this gateway, unless a firewall that this machine's own connections do not meet closes it.`,
          'An Ollama asks nobody who he is: whoever reaches its port uses, loads and deletes models, and nothing is counted.',
          commands(port),
        ),
      )
    else if (resolved.every((address) => !isLoopback(address)) || (await answers(host, port)))
      found.push(ok('ollama.closed', `${origin} answers on the loopback only.`))
    else found.push(note('ollama.away', `Nothing answers at ${origin} now, so nothing can be said of it.`))
  }
  return found
}
