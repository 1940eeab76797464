/**
 * How long a file of audio or video plays, read of its head: what a transcription costs by the second is known before it
 * is sent. Containers: WAV (RIFF), FLAC (RFC 9639), Ogg with Opus or Vorbis (RFC 3533, 7845), MPEG-4 (ISO 14496-12), MP3.
 */

export interface MediaLength {
  /** ms: it does not play longer, unless its head lies. */
  most: number
  /** ms */
  likely: number
}

/** Speech is seldom coded with less, in bits a ms (opus goes down to 6 kbit/s). */
const LEAST_RATE = 6
/** Usual for speech. */
const USUAL_RATE = 64
/** ms. Who says more does not know (a recorder that was cut off). */
const LONGEST = 86_400_000

export function mediaLength(file: Uint8Array): MediaLength {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const known = wav(file, view) ?? flac(file, view) ?? ogg(file, view) ?? mp4(file, view) ?? mp3(file, view)
  const bits = file.byteLength * 8
  const most = Math.ceil(bits / LEAST_RATE)
  if (known === undefined || !(known > 0 && known < LONGEST))
    return { most, likely: Math.min(most, Math.ceil(bits / USUAL_RATE)) }
  const ms = Math.ceil(known)
  return { most: ms, likely: ms }
}

const has = (file: Uint8Array, at: number, mark: string): boolean => {
  for (let i = 0; i < mark.length; i++) if (file[at + i] !== mark.charCodeAt(i)) return false
  return true
}

function wav(file: Uint8Array, view: DataView): number | undefined {
  if (!has(file, 0, 'RIFF') || !has(file, 8, 'WAVE')) return undefined
  let rate = 0
  for (let at = 12; at + 24 <= file.byteLength; ) {
    const size = view.getUint32(at + 4, true)
    // Samples a second times bytes of all channels' sample.
    if (has(file, at, 'fmt ')) rate = view.getUint32(at + 12, true) * view.getUint16(at + 20, true)
    if (has(file, at, 'data')) {
      // What is written while it is recorded says 0 or the most there can be.
      const bytes = Math.min(size === 0 ? Number.POSITIVE_INFINITY : size, file.byteLength - at - 8)
      return rate > 0 ? (bytes / rate) * 1000 : undefined
    }
    at += 8 + size + (size % 2)
  }
  return undefined
}

function flac(file: Uint8Array, view: DataView): number | undefined {
  if (!has(file, 0, 'fLaC') || file.byteLength < 26) return undefined
  // STREAMINFO: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples.
  const rate = view.getUint32(18) >>> 12
  const samples = ((file[21] as number) & 0x0f) * 2 ** 32 + view.getUint32(22)
  return rate > 0 && samples > 0 ? (samples / rate) * 1000 : undefined
}

/** So far from the end the last page begins at the latest. */
const LONGEST_PAGE = 65_307

function ogg(file: Uint8Array, view: DataView): number | undefined {
  if (!has(file, 0, 'OggS')) return undefined
  const head = 27 + (file[26] ?? 0)
  const isOpus = has(file, head, 'OpusHead')
  const rate = isOpus ? 48_000 : has(file, head + 1, 'vorbis') ? view.getUint32(head + 12, true) : 0
  if (rate === 0) return undefined
  for (let at = file.byteLength - 27; at >= Math.max(0, file.byteLength - LONGEST_PAGE); at--)
    if (has(file, at, 'OggS')) return (Number(view.getBigInt64(at + 6, true)) / rate) * 1000
  return undefined
}

function mp4(file: Uint8Array, view: DataView): number | undefined {
  if (!has(file, 4, 'ftyp')) return undefined
  const at = Buffer.from(file.buffer, file.byteOffset, file.byteLength).indexOf('mvhd')
  if (at < 0 || at + 36 > file.byteLength) return undefined
  const isLong = file[at + 4] === 1
  const scale = view.getUint32(at + (isLong ? 24 : 16))
  const length = isLong ? Number(view.getBigUint64(at + 28)) : view.getUint32(at + 20)
  return scale > 0 ? (length / scale) * 1000 : undefined
}

/** kbit/s by index, of layer III: MPEG-1, and MPEG-2 and 2.5. */
const MP3_RATES = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const
const MP3_SAMPLES = [44_100, 48_000, 32_000] as const

function mp3(file: Uint8Array, view: DataView): number | undefined {
  let at = 0
  // A tag before the music: its length is written with 7 bits a byte.
  if (has(file, 0, 'ID3')) at = 10 + [6, 7, 8, 9].reduce((sum, i) => sum * 128 + ((file[i] as number) & 0x7f), 0)
  const [first = 0, second = 0, third = 0, fourth = 0] = file.subarray(at, at + 4)
  const version = (second >> 3) & 3
  if (first !== 0xff || (second & 0xe6) !== 0xe2 || version === 1) return undefined
  const isOne = version === 3
  const rate = MP3_RATES[isOne ? 0 : 1][third >> 4]
  const samples = (MP3_SAMPLES[(third >> 2) & 3] ?? 0) / (isOne ? 1 : version === 2 ? 2 : 4)
  if (!rate || !samples) return undefined
  // With a variable rate the first frame tells how many there are.
  const isMono = fourth >> 6 === 3
  const xing = at + 4 + (isOne ? (isMono ? 17 : 32) : isMono ? 9 : 17)
  const isVariable = has(file, xing, 'Xing') || has(file, xing, 'Info')
  if (isVariable && xing + 12 <= file.byteLength && (view.getUint32(xing + 4) & 1) === 1)
    return (view.getUint32(xing + 8) * (isOne ? 1152 : 576) * 1000) / samples
  return ((file.byteLength - at) * 8) / rate
}
