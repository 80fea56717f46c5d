/** Vectors as they are stored: 32-bit floats, little-endian, of length 1, so that the cosine of two is their dot product. */

/** Undefined when it has no direction: zero, or a number that is none. */
export function normalised(vector: Float32Array): Float32Array | undefined {
  let sum = 0
  for (const value of vector) sum += value * value
  const length = Math.sqrt(sum)
  return length > 0 && Number.isFinite(length) ? vector.map((value) => value / length) : undefined
}

export function vectorBytes(vector: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes
}

/** Writes the vector that `bytes` hold into `target`, from `offset` on. */
export function readVectorInto(target: Float32Array, offset: number, bytes: Buffer): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let index = 0; index * 4 < bytes.byteLength; index++) target[offset + index] = view.getFloat32(index * 4, true)
}

export function vectorOf(bytes: Buffer): Float32Array {
  const vector = new Float32Array(bytes.byteLength / 4)
  readVectorInto(vector, 0, bytes)
  return vector
}
