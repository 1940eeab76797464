/** Files written by the letter of their specifications, each of a known length. */
import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { mediaLength } from '../../src/dialects/media-length.ts'

const text = (said: string) => [...said].map((c) => c.charCodeAt(0))
const little = (n: number, bytes: number) => Array.from({ length: bytes }, (_, i) => Math.floor(n / 256 ** i) % 256)
const big = (n: number, bytes: number) => little(n, bytes).reverse()
const zeros = (n: number) => new Array<number>(n).fill(0)

function wav(seconds: number, rate = 16_000, channels = 1, bytesPerSample = 2, more: number[] = []): Uint8Array {
  const frame = channels * bytesPerSample
  const data = seconds * rate * frame
  const fmt = [
    ...little(1, 2),
    ...little(channels, 2),
    ...little(rate, 4),
    ...little(rate * frame, 4),
    ...little(frame, 2),
  ]
  const head = [...text('RIFF'), ...little(36 + data, 4), ...text('WAVE'), ...more]
  return Uint8Array.from([
    ...[...head, ...text('fmt '), ...little(16, 4), ...fmt, ...little(bytesPerSample * 8, 2)],
    ...[...text('data'), ...little(data, 4), ...zeros(data)],
  ])
}

describe('the length of a file', () => {
  test('WAV: samples over their rate, whatever stands before them', () => {
    expect(mediaLength(wav(2))).toEqual({ most: 2_000, likely: 2_000 })
    expect(mediaLength(wav(1, 44_100, 2, 3))).toEqual({ most: 1_000, likely: 1_000 })
    expect(mediaLength(wav(1, 8_000, 1, 2, [...text('LIST'), ...little(3, 4), 1, 2, 3, 0])).most).toBe(1_000)
  })

  test('a WAV of a recorder that did not know yet how long it would be', () => {
    for (const size of [0, 0xffff_ffff]) {
      const file = wav(2)
      file.set(little(size, 4), 40)
      expect([size, mediaLength(file).most]).toEqual([size, 2_000])
    }
  })

  test('FLAC: the samples of its STREAMINFO', () => {
    const rate = 44_100
    const samples = rate * 90
    // 20 bits of rate, 3 of channels - 1, 5 of depth - 1, 36 of samples.
    const packed = (BigInt(rate) << 44n) | (1n << 41n) | (15n << 36n) | BigInt(samples)
    const info = [
      ...big(4096, 2),
      ...big(4096, 2),
      ...zeros(6),
      ...big(Number(packed >> 32n), 4),
      ...big(Number(packed & 0xffff_ffffn), 4),
    ]
    const file = [...text('fLaC'), 0x80, ...big(34, 3), ...info, ...zeros(16), ...zeros(100_000)]
    expect(mediaLength(Uint8Array.from(file)).most).toBe(90_000)
  })

  test('Ogg: the position of its last page, at 48 kHz for Opus and at its own rate for Vorbis', () => {
    const page = (granule: number, body: number[]) => [
      ...[...text('OggS'), 0, 0, ...little(granule, 8), ...little(7, 4), ...zeros(8), 1, body.length],
      ...body,
    ]
    const opus = [...page(0, [...text('OpusHead'), 1, 1]), ...page(48_000 * 30, zeros(200))]
    expect(mediaLength(Uint8Array.from(opus)).most).toBe(30_000)
    const vorbis = [
      ...page(0, [1, ...text('vorbis'), ...zeros(4), 2, ...little(22_050, 4), ...zeros(13)]),
      ...page(22_050 * 12, zeros(200)),
    ]
    expect(mediaLength(Uint8Array.from(vorbis)).most).toBe(12_000)
  })

  test('MPEG-4: the duration of its movie header, in both of its versions, before and behind the media', () => {
    const box = (name: string, body: number[]) => [...big(body.length + 8, 4), ...text(name), ...body]
    const short = box('mvhd', [0, 0, 0, 0, ...zeros(8), ...big(1_000, 4), ...big(61_500, 4), ...zeros(80)])
    const long = box('mvhd', [1, 0, 0, 0, ...zeros(16), ...big(600, 4), ...big(600 * 61.5, 8), ...zeros(80)])
    const ftyp = box('ftyp', [...text('M4A '), ...zeros(4)])
    const mdat = box('mdat', zeros(50_000))
    for (const header of [short, long]) {
      expect(mediaLength(Uint8Array.from([...ftyp, ...box('moov', header), ...mdat])).most).toBe(61_500)
      expect(mediaLength(Uint8Array.from([...ftyp, ...mdat, ...box('moov', header)])).most).toBe(61_500)
    }
  })

  test('MP3: its bytes over its rate, and its frames where the rate varies; tags are no music', () => {
    // MPEG-1 layer III, 128 kbit/s, 44.1 kHz, stereo: 417 bytes a frame of 1,152 samples.
    const frame = [0xff, 0xfb, 0x90, 0x00, ...zeros(413)]
    const constant = Array.from({ length: 100 }, () => frame).flat()
    expect(mediaLength(Uint8Array.from(constant)).most).toBe(Math.ceil((417 * 100 * 8) / 128))
    const tag = [...text('ID3'), 4, 0, 0, 0, 0, 7, 0x68, ...zeros(1_000)]
    expect(mediaLength(Uint8Array.from([...tag, ...constant])).most).toBe(Math.ceil((417 * 100 * 8) / 128))
    const xing = [
      0xff,
      0xfb,
      0x90,
      0x00,
      ...zeros(32),
      ...text('Xing'),
      ...big(1, 4),
      ...big(1_000, 4),
      ...zeros(4_000),
    ]
    expect(mediaLength(Uint8Array.from(xing)).most).toBe(Math.ceil((1_000 * 1152 * 1000) / 44_100))
    // MPEG-2 mono, 64 kbit/s, 24 kHz: what speech comes in.
    const speech = [0xff, 0xf3, 0x84, 0xc0, ...zeros(8_000 - 4)]
    expect(mediaLength(Uint8Array.from(speech)).most).toBe(1_000)
  })

  test('what is none of these is bounded by its bytes', () => {
    expect(mediaLength(Uint8Array.from(zeros(6_000)))).toEqual({ most: 8_000, likely: 750 })
    expect(mediaLength(new Uint8Array(0))).toEqual({ most: 0, likely: 0 })
  })

  test('a file that claims to play for days is bounded by its bytes', () => {
    const box = [
      ...big(108, 4),
      ...text('mvhd'),
      0,
      0,
      0,
      0,
      ...zeros(8),
      ...big(1, 4),
      ...big(200_000, 4),
      ...zeros(80),
    ]
    const file = Uint8Array.from([...big(16, 4), ...text('ftyp'), ...zeros(8), ...big(116, 4), ...text('moov'), ...box])
    expect(mediaLength(file).most).toBe(Math.ceil((file.byteLength * 8) / 6))
  })

  test('no bytes are so odd that it falls over them', () => {
    const marks = [
      text('RIFF....WAVEfmt '),
      text('fLaC'),
      text('OggS'),
      [0, 0, 0, 8, ...text('ftyp')],
      [0xff, 0xfb],
      text('ID3'),
    ]
    const odd = fc.tuple(fc.constantFrom(...marks, []), fc.uint8Array({ maxLength: 200 }))
    fc.assert(
      fc.property(odd, ([mark, rest]) => {
        const { most, likely } = mediaLength(Uint8Array.from([...mark, ...rest]))
        expect(Number.isInteger(most) && Number.isInteger(likely) && likely <= most && likely >= 0).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
