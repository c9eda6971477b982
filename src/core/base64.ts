/** Base 64 with padding (RFC 4648 section 4). */
export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/**
 * The bytes of a base 64 text; `undefined` unless it is exactly what `base64Of` writes (Node itself
 * reads more).
 */
export function bytesOfBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
