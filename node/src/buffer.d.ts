/** Methods of Buffer that Node documents nowhere and every codec uses: text in and out without an encoding to look up. */
declare global {
  interface Buffer {
    utf8Slice(start: number, end: number): string;
    utf8Write(text: string, start: number, size: number): number;
  }
}
export {};
