import Foundation

/// Small files of every kind that the readers accept. The images are 24 x 16 pixels with red 10 x,
/// green 15 y, blue 255 - 5 x - 5 y, made with Pillow.
package enum Fixtures {
  /// A baseline JPEG in colour.
  package static let rgbJPEG = decode(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYW
    ICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo
    KCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAAQABgDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcI
    CQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRol
    JicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ip
    qrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAA
    AAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLR
    ChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaX
    mJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEA
    PwDy200Hp8lbVpoPT5K7600Hp8lbNpoPT5K+uzbiffU8PI8/21OBtNB6fJRXrFpoPT5KK/PcVxP+8fvH6rgs/wD3S1P/
    2Q==
    """)

  /// The same image as a progressive JPEG.
  package static let progressiveJPEG = decode(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYW
    ICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo
    KCgoKCgoKCgoKCgoKCgoKCgoKCj/wgARCAAQABgDASIAAhEBAxEB/8QAFwAAAwEAAAAAAAAAAAAAAAAAAAQFBv/EABYB
    AQEBAAAAAAAAAAAAAAAAAAYEBf/aAAwDAQACEAMQAAAByzt9zXhgGsDyr//EABYQAAMAAAAAAAAAAAAAAAAAAAACA//a
    AAgBAQABBQJYCwFgLAWAsD//xAAXEQADAQAAAAAAAAAAAAAAAAAAAwQi/9oACAEDAQE/AYbxN+T/xAAZEQACAwEAAAAA
    AAAAAAAAAAAABQMEIjH/2gAIAQIBAT8BtsyVnrp//8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQAGPwJf/8QAFRAB
    AQAAAAAAAAAAAAAAAAAAAGH/2gAIAQEAAT8hmmmmmm//2gAMAwEAAgADAAAAEBPf/8QAFhEBAQEAAAAAAAAAAAAAAAAA
    IQAx/9oACAEDAQE/EMWO3//EABYRAQEBAAAAAAAAAAAAAAAAAAAhMf/aAAgBAgEBPxDWqj//xAAVEAEBAAAAAAAAAAAA
    AAAAAAAAMf/aAAgBAQABPxCTJkyZMn//2Q==
    """)

  /// A JPEG of one channel.
  package static let greyJPEG = decode(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYW
    ICwgIyYnKSopGR8tMC0oMCUoKSj/wAALCAAQABgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QA
    tRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0
    NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2
    t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APLbTQenyVtWmg9PkrZtNB6f
    JXS2mg9PkrZtNB6fJW1aaD0+Sv/Z
    """)

  /// A JPEG in CMYK, inverted as Adobe writes it.
  package static let cmykJPEG = decode(
    """
    /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAGBAUGBQQGBgUGBwcGCAoQCgoJCQoUDg8MEBcUGBgXFBYWGh0lHxobIxwWFiAs
    ICMmJykqKRkfLTAtKDAlKCko/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYH
    CAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBka
    JSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeo
    qaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDwPwj/
    AAV41/whH/TL9K971fUvvfNX1TXtfhH+Cj/hCP8Apl+lcTq+pfe+aivavCP8FH/CEf8ATL9K4rV9S+981FfFXhH+CvqD
    /hCP+mX6V2ur6l975qK9r8I/wUf8IR/0y/SuK1fUvvfNRXtXhH+Cj/hCP+mX6VxWr6l975qK/9k=
    """)

  /// A PNG of 8 bits per channel.
  package static let rgbPNG = decode(
    """
    iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAIAAACDRijCAAAAI0lEQVR4nGNkYPjPxfCbcsTCwP+bgYEKaNSgUYNGDRqp
    BgEAOfx6mCwMqzIAAAAASUVORK5CYII=
    """)

  /// A grey PNG of one bit per pixel.
  package static let greyPNG = decode(
    """
    iVBORw0KGgoAAAANSUhEUgAAABgAAAAQAQAAAAAkX4I4AAAASUlEQVR4nGNgYBBk5PT5ymS+lp1R1N6CRfecIKOmzlUW
    aQcGRi2NCJYMCWaWwwxiTAyM3iyhjKpMq4UmMawN3c6w7d1dlq+dHACP1g9iTzfEsAAAAABJRU5ErkJggg==
    """)

  /// A PNG with a palette of eight colours.
  package static let palettePNG = decode(
    """
    iVBORw0KGgoAAAANSUhEUgAAABgAAAAQBAMAAAD+CqKmAAAAGFBMVEWqw2kyw6WqgIAygLyqRJSqD6UyRNAyD+HY3Gvf
    AAAATUlEQVR42n3NMQqAMBSD4U/tLp7Wa3oC6eimF/DVoQ4VxQyBkPykm8EKehCacCspB6qnHez/TKRzgTHDUKutmZXP
    n8iYIqObXj9fzCNcgW4UpEtAhT4AAAAASUVORK5CYII=
    """)

  /// The PNG in colour with an alpha channel of 10 x.
  package static let alphaPNG = decode(
    """
    iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAYAAAAMJL+VAAAAKUlEQVR4nGNkYPjPwMXwm4tWmIWB/zcDAwPt8KgFoxaM
    WjBqwagF1MAA19p7ftIlHaIAAAAASUVORK5CYII=
    """)

  /// A grey PNG of 16 bits per pixel, of value 2000 x + 100 y.
  package static let deepPNG = decode(
    """
    iVBORw0KGgoAAAANSUhEUgAAABgAAAAQEAAAAAB53zwKAAAAfklEQVR4nGNkYGC/wAGF2FjooowMKbiUYtfEyHACn1JM
    TYyMOritx6aJkXECKeZzXGBk/EKK+RwXGJki8IUJpiZGpj2EAhLNScwKJHqauYUU8zkuMDK/wB9R6CxGFh/ikgTcSSwb
    SPQ0qwgp5nNcYGStwB9RGJ5mvUMoIFFZAJDVPmKDY/a7AAAAAElFTkSuQmCC
    """)

  /// A .tar.gz of the official layout with two records per file; record i is
  /// `CIFARFiles.record(i)`.
  package static let cifarArchive = decode(
    """
    H4sIACL7A2sC/+3ZyWpTYRjH4cxDM0+dW72B6ElyWi+npLFiNy6aeP+GFgm4eUHlBP2eZ1M4/0Whi/L9eDfPX9Yv80U2
    f1zvNl+ftvPH528fP69364fXDw+LD/sPpT+T7d3n+evPvV9+LvIsW/789vZ9kefZXel9VirA9+1u/bL/9aVEnQDJiv4/
    lAOVQDVQC9QDjUAz0Aq0A9HftxPoBnqBfmAQGAZGgXFgEpgGZoHTwFngPHARuAxcBa4DN4HbwLtAqVyp1uqNZqt90un2
    +oPhaDyZzk7Pzi8ur65vbu12+3+8lztAsgSAABAAAsADyW5PcCdhm+D+tzzW/e/e/a8IlS6QLPkv/+W//JdHdnt6e7UH
    JEsACAABIAA8kOx29z/c/w73v9Wx7n+f3P+KUOsDyZL/8l/+y395ZLent9cHQLIEgAAQAALAA8lud//D/e9w/8uPdP9b
    ZO5/RWgMgWTJf/kv/+W/PLLb09ubIyBZAkAACAAB4IFkt7v/4f53uP/dHev+t3D/K0JrDCRL/st/+S//5ZHdnt7engDJ
    EgACQAAIAA8ku939j+Tvf7un7e7t/vcXrn+/df9brlbuf4WYAsmS//Jf/st/eWS3p7eXZ0CyBIAAEAACwAPJbnf/AwAA
    AAAAAADgX/IDGM2Y+gDIAAA=
    """)

  private static func decode(_ text: String) -> Data {
    Data(base64Encoded: text, options: .ignoreUnknownCharacters) ?? Data()
  }
}
