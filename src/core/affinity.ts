/** Rendezvous hashing: which of several belongs to a name, so that few move when one comes or goes (Thaler, Ravishankar 1998). */

/** 32-bit FNV-1a: spreads short names well enough, and costs nanoseconds. */
function hash(text: string, seed: number): number {
  let h = seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  // FNV's last bits hardly reach its first ones: finish as murmur3 does.
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The highest score owns the name; the shares come to the weights. */
export function score(name: string, owner: string, weight: number): number {
  const unit = (hash(owner, hash(name, 0x811c9dc5)) + 0.5) / 2 ** 32
  return -weight / Math.log(unit)
}
