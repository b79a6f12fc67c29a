/** Vite gives the address of the file that it puts next to the module. */
declare module '*.woff2?url' {
  const address: string;
  export default address;
}
