import CommandSupport
import Testing

@Suite struct TextTableTests {
  @Test func columnsAreAsWideAsTheirLongestCell() {
    var table = TextTable([.left("name"), .right("time"), .left("note")], indent: 2)
    table.add(["convolution", "3 s", "long"])
    table.add(["a", "12.5 ms", ""])
    table.add(["b"])
    #expect(
      table.lines == [
        "  name            time  note",
        "  convolution      3 s  long",
        "  a            12.5 ms",
        "  b",
      ])
  }

  @Test func withoutHeadingsThereIsNoLineOfThem() {
    var table = TextTable([.left(width: 7), .left(width: 10), .left()])
    #expect(table.lines.isEmpty)
    table.add(["warning", "affinity", "2 threads"])
    table.add(["", "", "mend: fewer"])
    #expect(
      table.lines == ["warning  affinity    2 threads", "                     mend: fewer"])
  }
}
