/** Vite builds such an import into a module of its own and gives its address. */
declare module '*?worker&url' {
  const address: string;
  export default address;
}
