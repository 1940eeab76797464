/** The worker that moves the database's log into its file, beside everything else. */

/** How long the checkpointer may take to put its work down. */
const PUT_DOWN_MS = 2_000

/** @param path of the database */
export function startCheckpointer(path: string): { stop(): Promise<void> } {
  const worker = new Worker(new URL('../store/checkpointer.ts', import.meta.url).href)
  worker.postMessage({ path })
  worker.unref()
  const stop = async () => {
    const stopped = new Promise((resolve) => worker.addEventListener('message', resolve, { once: true }))
    worker.postMessage('stop')
    // Cut off in the middle it would keep the file locked, and the last checkpoint would wait for it in vain.
    await Promise.race([stopped, Bun.sleep(PUT_DOWN_MS)])
    worker.terminate()
  }
  return { stop }
}
