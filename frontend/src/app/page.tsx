export default function Landing() {
  return <h1>Todo Chat</h1>;
}
