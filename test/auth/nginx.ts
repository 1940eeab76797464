/** Finds nginx, or installs Debian's. */
import { run } from '../support/run-child.ts'

const PLACES = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`

export async function findNginx(): Promise<string> {
  const found = Bun.which('nginx', { PATH: PLACES })
  if (found) return found
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  for (const words of [['update'], ['install', '-y', '--no-install-recommends', 'nginx-light']]) {
    const { code } = await run([...sudo, 'apt-get', ...words], {
      name: `apt-get ${words[0]}`,
      cwd: '/',
      limit: 150_000,
    })
    if (code !== 0) throw new Error('nginx is not there, and apt-get can not install it: install nginx.')
  }
  const installed = Bun.which('nginx', { PATH: PLACES })
  if (!installed) throw new Error('apt-get installed nginx, and it is not there.')
  return installed
}
